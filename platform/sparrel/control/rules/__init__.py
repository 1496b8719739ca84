"""What each resource does beyond storage: one file per resource, found by `control.app.load_rules`."""
