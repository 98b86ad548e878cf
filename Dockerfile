# The gateway and the workers: one image, several commands (see compose.yaml).
FROM python:3.11-slim-bookworm AS ui

# Node comes as a wheel, so that one base image does.
COPY web/ui /ui
RUN /ui/npm.sh python ci --loglevel error && /ui/npm.sh python run --silent build

FROM python:3.11-slim-bookworm

# A fresh volume takes its owner from the folder that it is mounted over.
RUN apt-get update \
 && apt-get install -y --no-install-recommends bubblewrap \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 tandem \
 && install --directory --owner tandem --group tandem /home/tandem/data

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY agents agents
COPY bench bench
COPY orchestrator orchestrator
COPY routers routers
COPY tools tools
COPY web web
COPY --from=ui /ui/dist web/ui/dist
COPY workers workers
RUN pip install --no-cache-dir --constraint constraints.txt '.[otel,postgres,slack]' && rm -rf build

USER tandem
ENV PYTHONUNBUFFERED=1 TANDEM__STORAGE__DIRECTORY=/home/tandem/data
VOLUME /home/tandem/data
EXPOSE 8000
CMD ["python", "-m", "web.gateway"]
