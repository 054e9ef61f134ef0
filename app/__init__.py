"""What the server does. Knows nothing of GraphQL, except `main.py`, which joins the two."""
