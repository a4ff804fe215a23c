/** Opens the HTTP server on HTTP_HOST and HTTP_PORT, and explains errors of listen. */
import type { Config } from '../../config.ts';
import { ApiError } from '../../errors.ts';
import type { HttpServer } from './server.ts';

type Address = Pick<Config, 'HTTP_HOST' | 'HTTP_PORT'>;

/** Returns the URL. Throws `config_invalid`, with the setting to change, if the system refuses the address. */
export async function listen(server: HttpServer, { HTTP_HOST: host, HTTP_PORT: port }: Address): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const sentence = faultOf(error as NodeJS.ErrnoException, host, port);
    throw sentence === undefined ? error : new ApiError('config_invalid', sentence, { cause: error });
  }
}

function faultOf({ code }: NodeJS.ErrnoException, host: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `HTTP_PORT ${port} is in use on ${host}: end the process that listens there, or set HTTP_PORT to a free port (0: any).`;
    case 'EACCES':
      return `This user may not use HTTP_PORT ${port}: set HTTP_PORT to 1024 or higher.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HTTP_HOST ${host} is not an address of this machine: set HTTP_HOST to 127.0.0.1, to another address of this machine, or to 0.0.0.0 for all addresses.`;
    default:
      return undefined;
  }
}
