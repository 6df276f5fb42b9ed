# Three images from one file: gateway (the last, hence the default), postgres and sim; the stages before them only build.
# Everything is Debian 12's own: the same packages as ./dev uses, listed there once.

# The sources without what is not compiled: a change in that compiles nothing anew.
FROM debian:bookworm-slim AS source
COPY . /src
WORKDIR /src
RUN rm -rf config/docker config/*.toml && find tests/* -maxdepth 0 -type d ! -name sim -exec rm -r {} +

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY dev .
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      $(./dev packages | awk '$2 == "build" { print $1 }') \
 && rm -rf /var/lib/apt/lists/*
COPY --from=source /src .
RUN cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O2 -DCMAKE_UNITY_BUILD=ON \
 && cmake --build build -j "$(./dev jobs)" --target wakemq apns_sim fcm_sim \
 && strip build/wakemq build/apns_sim build/fcm_sim
# The packages that own the shared libraries each program needs. /lib is a link to /usr/lib, and dpkg knows a file by either.
RUN for program in wakemq apns_sim; do \
      ldd build/$program | awk '$2 == "=>" { print $3 }' | while read -r library; do \
        dpkg -S "$library" 2>/dev/null || dpkg -S "/usr$library"; \
      done | cut -d: -f1 | sort -u >build/$program.packages; \
    done

FROM debian:bookworm-slim AS sim
COPY --from=build /src/build/apns_sim.packages /tmp/packages
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --no-install-recommends </tmp/packages \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && useradd --system --uid 10001 wakemq && install -d -o wakemq /sim
COPY config/docker/health.sh /usr/local/share/wakemq/
COPY --from=build /src/build/apns_sim /src/build/fcm_sim /usr/local/bin/
RUN apns_sim --help >/dev/null && fcm_sim --help >/dev/null
USER wakemq
VOLUME /sim

# PostgreSQL from Debian rather than the official image: the one that ./dev and CI test with, on a base already there.
FROM debian:bookworm-slim AS postgres
RUN apt-get update \
 && mkdir -p /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/none.conf \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15 \
 && rm -rf /var/lib/apt/lists/* /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem \
 && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data \
 && install -d -o postgres -g postgres -m 755 /run/postgresql
COPY config/docker/postgres.sh /usr/local/bin/postgres.sh
USER postgres
VOLUME /var/lib/postgresql/data /run/postgresql
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
  CMD ["psql", "-h", "/run/postgresql", "-U", "wakemq", "-Atc", "SELECT 1", "wakemq"]
ENTRYPOINT ["bash", "/usr/local/bin/postgres.sh"]

FROM debian:bookworm-slim AS gateway
COPY --from=build /src/build/wakemq.packages /tmp/packages
# ca-certificates: whom to trust as Apple and Google; tzdata: quiet hours; openssl: certificates.sh.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --no-install-recommends \
      ca-certificates tzdata openssl </tmp/packages \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && useradd --system --uid 10001 wakemq && install -d -o wakemq /etc/wakemq /etc/wakemq/tls /sim
COPY config/docker /usr/local/share/wakemq/
COPY config/wakemq.toml /etc/wakemq/
COPY --from=build /src/build/wakemq /usr/local/bin/wakemq
RUN wakemq version
USER wakemq
EXPOSE 1883 8883 9001 9002 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["bash", "/usr/local/share/wakemq/health.sh"]
ENTRYPOINT ["wakemq"]
CMD ["serve"]
