"""What pages share and only Streamlit needs."""
