-- A copied database must not speak to a bank: cut every line, and forget who we are there.
UPDATE bank_connection
   SET state = 'suspended', url = 'https://neutralized.invalid', certificate_id = NULL;
UPDATE bank_connection SET signing_certificate_id = NULL;
UPDATE bank_connection_variable SET sealed = NULL WHERE is_secret;
DELETE FROM bank_connection_token;
-- What waits to leave must not leave from here.
UPDATE bank_message
   SET state = 'refused', error = 'Neutralized copy of the database'
 WHERE direction = 'out' AND state IN ('queued', 'sending', 'uncertain');
-- No bank wakes the copy, and no program takes it for the original.
UPDATE bank_connection SET webhook_token = NULL, webhook_sealed = NULL, webhook_keys = NULL;
DELETE FROM bank_monitor_token;
