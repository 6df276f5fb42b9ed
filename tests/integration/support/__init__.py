"""What the integration tests share: a private PostgreSQL, the gateway and the simulators as processes, and clients."""
