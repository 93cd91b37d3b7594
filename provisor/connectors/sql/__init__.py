"""Databases as directories: PostgreSQL, MariaDB, MySQL, SQLite, and what else SQLAlchemy speaks."""
