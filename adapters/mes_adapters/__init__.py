"""What connects the engine to machines and to the ERP: one folder an adapter."""
