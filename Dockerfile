# The site in a container: docker build --tag brain-tumor-site . && docker run --publish 8501:8501 brain-tumor-site
# deploy/README.md says how to run it, and what to watch.
FROM python:3.13-slim-trixie AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /build
# Alone, so that a change of the site's code downloads no package again.
COPY requirements.lock ./
RUN pip install --require-hashes --requirement requirements.lock

FROM python:3.13-slim-trixie
# Number 1000 is the user that Hugging Face Spaces runs containers as.
RUN useradd --create-home --uid 1000 site
COPY --from=packages /opt/venv /opt/venv
WORKDIR /home/site/app
# .dockerignore lists what comes along.
COPY --chown=root:root . .
RUN python -m compileall -q btmodels pages ui
USER 1000
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8501
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]
# The site finishes what it is asked before it stops: deploy/README.md, "Stop and restart".
STOPSIGNAL SIGTERM
CMD ["python", ".ci/serve.py"]
