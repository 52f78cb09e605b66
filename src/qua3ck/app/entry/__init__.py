"""Holds nothing but the file that Streamlit runs, so that its folder can stand on the path."""
