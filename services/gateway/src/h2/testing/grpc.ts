import {
  type Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';

const bytes = (value: Buffer): Buffer => value;

function method(name: string, requestStream: boolean, responseStream: boolean) {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

/** Messages are bytes as they are. */
export const ECHO = {
  unary: method('Unary', false, false),
  collect: method('Collect', true, false),
  expand: method('Expand', false, true),
  both: method('Both', true, true),
} satisfies ServiceDefinition;

export interface EchoHandlers {
  readonly unary: handleUnaryCall<Buffer, Buffer>;
  readonly collect: handleClientStreamingCall<Buffer, Buffer>;
  readonly expand: handleServerStreamingCall<Buffer, Buffer>;
  readonly both: handleBidiStreamingCall<Buffer, Buffer>;
}

/** A server of gRPC; `port` is on loopback. */
export async function startServer(
  handlers: EchoHandlers,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = new Server();
  server.addService(ECHO, { ...handlers });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, port };
}

/** A client of it. Calls are made with the methods of grpc-js that take a path. */
export function startClient(port: number): Client {
  const Echo = makeGenericClientConstructor(ECHO, 'Echo');
  // One connection for each client, and no retries of its own that would hide what is tested.
  const options = {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.default_authority': 'any',
  };
  return new Echo(`127.0.0.1:${port}`, credentials.createInsecure(), options);
}
