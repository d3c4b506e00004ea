"""Messages of a machine: OPC UA events and conditions (Part 4, 7.22; Part 9)."""
