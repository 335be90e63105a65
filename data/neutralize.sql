-- A copied database must not speak to a bank: cut every line, and forget who we are there.
UPDATE bank_connection
   SET state = 'suspended', url = 'https://neutralized.invalid', certificate_id = NULL,
       consent_code = NULL, signing_certificate_id = NULL, decryption_certificate_id = NULL,
       trusted_certificates = NULL, pinned_fingerprints = NULL,
       bank_signers = NULL, bank_encryption = NULL, revocation_list = NULL,
       tls_revocation_list = NULL;
-- Whoever has the master key as well could still open the private keys: they go.
DELETE FROM ir_attachment
 WHERE res_model = 'certificate.key' AND res_field = 'content'
   AND res_id IN (SELECT id FROM certificate_key WHERE bank_sealed);
UPDATE bank_certificate
   SET state = 'destroyed', key_id = NULL, certificate_id = NULL, switch_on = NULL
 WHERE owner = 'ours';
DELETE FROM bank_certificate_wizard;
DELETE FROM bank_pin_wizard;
DELETE FROM bank_exchange;
UPDATE bank_connection_variable SET sealed = NULL WHERE is_secret;
DELETE FROM bank_connection_token;
-- What waits to leave must not leave from here.
UPDATE bank_message
   SET state = 'refused', error = 'Neutralized copy of the database'
 WHERE direction = 'out' AND state IN ('queued', 'sending', 'uncertain');
-- No bank wakes the copy, and no program takes it for the original.
UPDATE bank_connection SET webhook_token = NULL, webhook_sealed = NULL, webhook_keys = NULL;
DELETE FROM bank_monitor_token;
