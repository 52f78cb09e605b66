"""The file that Streamlit runs for every click; everything is in the package beside it."""

from qua3ck.app.view import show

show()
