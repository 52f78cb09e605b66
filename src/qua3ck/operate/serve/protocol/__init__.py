"""How requests are spelled: Open Inference Protocol v2 (HTTP and gRPC) and MLflow's form."""
