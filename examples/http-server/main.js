'use strict';

// A small HTTP server with routes as Express has them: what computes runs in workers, so the server goes on answering.
//   node examples/http-server/main.js      then: curl localhost:<port>/hash/secret   and: curl localhost:<port>/health
// Ends at SIGTERM or Ctrl-C: requests under way are answered first.

const http = require('node:http');
const { createService, farmOf } = require('farm');

const service = createService('./worker.js', { timeout: 10_000, queueTimeout: 5_000 });
const routes = [];
const app = { get: (path, handler) => routes.push({ pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`), handler }) };

app.get('/health', async () => 'fine');
app.get('/hash/:password', async ({ password }, { signal }) => {
  // A client that goes away cancels its task.
  return farmOf(service).run('hashPassword', [password, 'a salt'], { signal });
});

/** What a client is told when its task fails. */
const STATUS = { ERR_FARM_QUEUE_TIMEOUT: 503, ERR_FARM_TASK_TIMEOUT: 504, ERR_FARM_CLOSED: 503 };

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  for (const { pattern, handler } of routes) {
    const match = pattern.exec(pathname);
    if (match === null) continue;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      response.end(`${await handler({ ...match.groups }, { signal: gone.signal })}\n`);
    } catch (error) {
      if (response.destroyed) return;
      response.writeHead(STATUS[error.code] ?? 500).end(`${error.code ?? error.message}\n`);
    }
    return;
  }
  response.writeHead(404).end('no such route\n');
}

const server = http.createServer(answer).listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(async () => {
      await farmOf(service).close();
      console.log('closed');
    });
    server.closeIdleConnections();
  });
}
