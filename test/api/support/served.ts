/**
 * The API on a Memory, on a real socket in a process of its own: a stalled event loop there does not stall the test. It tells its
 * port when it listens, and ends with the process that has forked it.
 */
import { Memory, startApi } from './memory.ts';

const server = await startApi(new Memory());
await server.listen({ port: 0, host: '127.0.0.1' });
process.on('disconnect', () => process.exit(0));
process.send?.({ port: (server.server.address() as { port: number }).port });
