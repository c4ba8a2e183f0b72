"""The slice viewer and the gallery: Streamlit components with their JavaScript."""
