#!/bin/sh
# make_space.sh FOLDER: fills FOLDER with what a Hugging Face Space of this site consists of.
# Upload it with: hf upload OWNER/NAME FOLDER . --repo-type space
set -eu
folder=${1:?"Say which folder to fill: make_space.sh FOLDER"}
cd "$(dirname "$0")/../.."
mkdir -p "$folder"
if [ -n "$(ls -A "$folder")" ]; then
    echo "$folder is not empty." >&2
    exit 1
fi
git ls-files -z -- .ci/serve.py .dockerignore .streamlit Dockerfile LICENSE assets btmodels pages \
    pyproject.toml requirements.lock streamlit_app.py ui | tar -c --null -T - | tar -x -C "$folder"
cp deploy/spaces/README.md "$folder/README.md"
# A Space is shown in a frame of huggingface.co, and a browser sends a frame no cookie of another kind.
cat >>"$folder/Dockerfile" <<'END'
ENV BT_EMBED_IN=https://huggingface.co STREAMLIT_SERVER_XSRF_COOKIE_SAME_SITE=none
END
