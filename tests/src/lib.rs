//! The farm's integration tests: real servers, real adapters, real programs.
