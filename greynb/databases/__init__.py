"""The files behind the roles, and how they are opened, read and written safely."""
