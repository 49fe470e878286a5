import { parentPort, workerData } from 'node:worker_threads';
import { GatewayWorker } from './gateway-worker.ts';
import type { FromWorker, ToWorker, WorkerStart } from './protocol.ts';

// The thread's entry: only wires the worker to the control thread that started it.
if (parentPort === null) throw new Error('a gateway worker runs as a thread of a gateway');
const port = parentPort;
const worker = new GatewayWorker(workerData as WorkerStart, (message: FromWorker) =>
  port.postMessage(message),
);
port.on('message', (message: ToWorker) => worker.handle(message));
await worker.listen();
