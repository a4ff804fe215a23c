// Runs in a worker before an integration test: sets KAFKA_BROKERS and REDIS_URL to the stack of this worker.

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';

// Not by `fetch`, which gives up after five minutes: a first start downloads Kafka.
const request = get(`${inject('stacksUrl')}/${process.env.VITEST_POOL_ID}`);
const [response] = (await once(request, 'response')) as [IncomingMessage];
const body = await text(response);
if (response.statusCode !== 200) throw new Error(body);
Object.assign(process.env, JSON.parse(body));
