"""Published digit systems, each trained again by one command on the same data and measured by the same judge."""
