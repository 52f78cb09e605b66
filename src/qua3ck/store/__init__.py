"""What is kept on disks and servers: warehouse, releases, tracking, keys."""
