# Node 22, because Node 24 needs about three times as much memory at startup, to compile the embedded database.
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY jobs jobs
COPY templates templates
RUN npm run build && npm prune --omit=dev --no-audit --no-fund
COPY deploy/prune.sh deploy/
RUN deploy/prune.sh . && chmod +x dist/src/cli.js

FROM node:22-slim
ENV NODE_ENV=production DATA_DIR=/data HOST=0.0.0.0 PORT=3000
WORKDIR /app
RUN install --directory --owner=node --group=node --mode=0700 /data && ln -s /app/dist/src/cli.js /usr/local/bin/dayletter
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/dist dist
COPY --from=build /app/src/db/migrations src/db/migrations
COPY --from=build /app/src/web/assets src/web/assets
COPY --from=build /app/src/web/embed/client.js src/web/embed/client.js
COPY --from=build /app/templates templates
COPY LICENSE ./
USER node
EXPOSE 3000
# No volume is declared here, because containers without a named volume would leave anonymous ones behind. Mount one at /data.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "dist/src/healthcheck.js"]
ENTRYPOINT ["dayletter"]
CMD ["serve"]
