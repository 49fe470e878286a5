import { execFile } from 'node:child_process';
import type { Log } from '@usher/ports';

/**
 * Tells a supervisor that waits for it (systemd with `Type=notify`) that this process is ready, and is the one to look after:
 * after a hot restart it is another one than was started. `socket` is what the environment has as NOTIFY_SOCKET.
 */
export function notifySupervisor(socket: string | undefined, log: Log): void {
  if (socket === undefined) return;
  // Node has no datagrams on paths; who runs under systemd has its tool. MAINPID as --pid= is the same to old versions.
  execFile('systemd-notify', ['--ready', `--pid=${process.pid}`], (error) => {
    if (error !== null) log.warn('the supervisor could not be told', { cause: error.message });
  });
}
