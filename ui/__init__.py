"""Everything that needs Streamlit and is shared by the pages."""
