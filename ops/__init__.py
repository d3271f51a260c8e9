"""What a developer or deployer runs: build, the first administrator, destroy."""
