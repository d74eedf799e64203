// The relay's end inside the node's network: forwards connections from a socket file to the API server. Started by
// relay.ts with the socket path and the port.

import { connect, createServer } from 'node:net';

const [path, port] = process.argv.slice(2);

createServer(client => {
  const server = connect(Number(port), '127.0.0.1');
  client.pipe(server).pipe(client);
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
}).listen(path);
