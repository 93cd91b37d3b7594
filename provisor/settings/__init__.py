"""What an administrator writes in `provisor.yaml`: read, checked, merged with what is in force."""
