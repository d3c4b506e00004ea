"""Our own OPC UA server: job orders by ISA-95 Job Control V2, seen and driven."""
