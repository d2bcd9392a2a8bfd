"""The parts of the Streamlit page. `app/page.py` puts them together."""
