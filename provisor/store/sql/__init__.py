"""What the stores on databases have in common: the statements, and what is made of their answers.

They are written in the SQL that SQLite and PostgreSQL both speak. What the two do not have in
common is behind `database.Database` and `database.Home`.
"""
