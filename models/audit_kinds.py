"""What the audit trail tells of. One line for each kind of event, in the order of a payment's way.

A new kind is a line here and a call of ``self.env["bank.audit.event"]._record``. Kinds are never
renamed or removed: the chain holds them for ever.
"""

KINDS = [
    # a batch
    ("batch_prepared", "Batch prepared"),
    ("batch_submitted", "Batch sent to approval"),
    ("approval_given", "Approval given"),
    ("approval_refused", "Approval refused"),
    ("batch_approved", "Batch approved"),
    ("batch_rejected", "Batch rejected"),
    ("payments_rejected", "Payments rejected from a batch"),
    ("batch_withdrawn", "Batch withdrawn"),
    ("batch_accepted", "Batch accepted by the bank"),
    ("batch_settled", "Batch settled"),
    ("batch_refused", "Batch refused by the bank"),
    # a message to the bank
    ("message_queued", "Message queued"),
    ("message_attempt", "Sending attempted"),
    ("message_not_sent", "Sending failed, nothing left"),
    ("message_delivered", "Message delivered"),
    ("message_refused", "Message refused"),
    ("message_uncertain", "Message's fate uncertain"),
    ("message_withdrawn", "Message withdrawn"),
    # a document from the bank
    ("document_received", "Document received"),
    ("document_processed", "Document processed"),
    ("document_quarantined", "Document quarantined"),
    ("document_released", "Document released from quarantine"),
    ("statuses_applied", "Bank's answers applied"),
    ("statement_imported", "Statement imported"),
    # an uncertain message
    ("resolution_proposed", "Resolution proposed"),
    ("resolution_confirmed", "Resolution confirmed"),
    ("resolution_declined", "Resolution declined"),
    # a payee's account
    ("account_changed", "Bank account entered, changed or put on hold"),
    ("account_confirmed", "Bank account confirmed"),
    ("account_refused", "Bank account refused"),
    ("account_control", "Confirmation of bank accounts turned on or off"),
    # access to evidence
    ("evidence_read", "Content of a message read"),
    ("evidence_requested", "Evidence pack asked for"),
    ("evidence_downloaded", "Evidence pack downloaded"),
    # personal data, and the end of retention
    ("retention_changed", "Retention changed"),
    ("retention_erased", "Erased after retention"),
    ("person_exported", "Data about a payee exported"),
    ("person_erased", "Data about a payee erased"),
    # configuration
    ("connection_created", "Connection created"),
    ("connection_changed", "Connection changed"),
    ("connection_activated", "Connection activated"),
    ("connection_suspended", "Connection suspended"),
    ("connection_removed", "Connection removed"),
    ("profile_created", "Bank profile created"),
    ("profile_changed", "Bank profile changed"),
    ("profile_removed", "Bank profile removed"),
    ("journal_changed", "Bank journal changed"),
    ("rule_created", "Approval rule created"),
    ("rule_changed", "Approval rule changed"),
    ("rule_removed", "Approval rule removed"),
    ("level_created", "Approval level created"),
    ("level_changed", "Approval level changed"),
    ("level_removed", "Approval level removed"),
    ("substitute_created", "Substitute named"),
    ("substitute_changed", "Substitute changed"),
    ("substitute_removed", "Substitute removed"),
    ("certificate_imported", "Certificate imported"),
    ("certificate_changed", "Certificate changed"),
    ("certificate_removed", "Certificate removed"),
    ("key_made", "Key made"),
    ("key_destroyed", "Key destroyed"),
    ("master_key_rotated", "Secrets sealed under the newest master key"),
    ("webhook_secret", "Webhook secret made"),
    ("webhook_closed", "Webhook closed"),
    ("token_made", "Monitoring token made"),
    ("token_removed", "Monitoring token removed"),
    ("settings_changed", "Settings changed"),
    ("connection_stopped", "Payments over a connection stopped"),
    ("connection_resumed", "Payments over a connection resumed"),
    ("company_stopped", "All payments stopped"),
    ("company_resumed", "Payments resumed"),
    # people
    ("access_changed", "User's access changed"),
    ("step_up_failed", "Identity check failed"),
    # the trail itself
    ("audit_verified", "Audit trail verified"),
    ("audit_broken", "Audit trail found broken"),
    ("audit_exported", "Head of the audit trail exported"),
]
