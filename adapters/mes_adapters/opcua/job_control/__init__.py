"""ISA-95 Job Control V2 (OPC 10031-4): its types, its states, and ours in its words."""
