import { connect } from 'node:net';
import { commandFor, findPrograms } from './programs';
import { ServiceProcess } from './ServiceProcess';

/** A Redis or Valkey server of its own on a port of 127.0.0.1, without persistence. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: connections are accepted, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Stops it and removes what it wrote. */
  close(): Promise<void>;
}

/** Longer than an answer on loopback ever takes, in milliseconds. */
const PING_TIMEOUT_MS = 1_000;

/** @throws Error that says what to install, where there is no Redis to start. */
export async function startRedis(): Promise<RedisServer> {
  const programs = await findPrograms('redis');
  const service = await ServiceProcess.start({
    name: 'Redis',
    programs,
    command: (folder, port) =>
      commandFor(
        programs,
        'redis-server',
        ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder.inside, '--save', ''],
        'KILL',
      ),
    isReady: ping,
  });
  return {
    get url() {
      return `redis://127.0.0.1:${service.port}`;
    },
    get port() {
      return service.port;
    },
    get pid() {
      return service.pid;
    },
    start: () => service.start(),
    stop: () => service.stop('SIGTERM'),
    kill: () => service.kill(),
    pause: () => service.pause(),
    resume: () => service.resume(),
    close: () => service.close(),
  };
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: PING_TIMEOUT_MS }, () =>
      socket.write('PING\r\n'),
    );
    socket.once('error', reject);
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('data', answer => {
      socket.destroy();
      resolve(answer.toString().startsWith('+PONG'));
    });
  });
}
