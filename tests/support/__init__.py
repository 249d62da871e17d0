"""What several tests share: builders, servers, reference models. Never a test, never a fixture."""
