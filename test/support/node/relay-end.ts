// The end of the relay inside the node's network: what comes in at the socket file goes to the API server there, and back.
// Started by relay.ts with the path of the socket and the port. It looks into nothing.

import { connect, createServer } from 'node:net';

const [path, port] = process.argv.slice(2);

createServer(client => {
  const server = connect(Number(port), '127.0.0.1');
  client.pipe(server).pipe(client);
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
}).listen(path);
