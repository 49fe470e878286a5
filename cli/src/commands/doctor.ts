import type { UsherConfig } from '@usher/config';
import { systemClock } from '@usher/runtime';
import { lookAtBackends } from '../doctor/backends.ts';
import { lookAtData, lookAtFiles } from '../doctor/files.ts';
import type { Finding } from '../doctor/finding.ts';
import { lookAtNats } from '../doctor/nats.ts';
import { judgeOpenFiles, openFilesAllowed, openFilesOf } from '../doctor/open-files.ts';
import { lookAtPorts } from '../doctor/ports.ts';
import { lookAtRedis } from '../doctor/redis.ts';
import { findRunning } from '../doctor/running.ts';
import { EXIT_FAILED, EXIT_OK, type Run } from '../io.ts';
import { serviceNames } from '../process/service-names.ts';
import { configFile, readConfig } from '../read-config.ts';
import { columns } from '../table.ts';
import type * as verbs from '../verbs/offline.ts';

/** Looks at everything that a configuration relies on. */
export const doctor: Run<typeof verbs.doctor> = async ({ options, behind }, io) => {
  const config = await readConfig({ ...options, flags: behind }, io);
  const { local } = config;
  const services = serviceNames(options.only);
  const clock = systemClock();
  const running = await findRunning(local);
  const [nats, redis, backends, ports] = await Promise.all([
    lookAtNats({ bus: local.bus, config, services, clock }),
    lookAtRedis(local.store, clock),
    lookAtBackends(config, clock),
    lookAtPorts(config, running.answers || running.pid !== undefined),
  ]);
  const findings = [
    ...lookAtFiles(config, configFile(options.config, io)),
    ...lookAtData(config),
    ...openFiles(config, running.pid),
    ...ports,
    ...nats,
    ...redis,
    ...backends,
  ];
  const failed = findings.some(({ level }) => level === 'error');
  if (options.json) io.out(JSON.stringify({ ok: !failed, findings }));
  else for (const line of linesOf(findings)) io.out(line);
  return failed ? EXIT_FAILED : EXIT_OK;
};

function openFiles(config: UsherConfig, pid: number | undefined): Finding[] {
  const own = judgeOpenFiles(config, openFilesAllowed(), 'what this user starts');
  const allowed = pid === undefined ? undefined : openFilesOf(pid);
  // The one that runs is what counts, as a unit may have told it otherwise.
  return [allowed === undefined ? own : judgeOpenFiles(config, allowed, `the running process ${pid}`)];
}

function linesOf(findings: readonly Finding[]): string[] {
  const rows = findings.flatMap(({ about, level, message, remedy }) => [
    [level, about, message],
    ...(remedy === undefined ? [] : [['', '', `→ ${remedy}`]]),
  ]);
  const count = (wanted: Finding['level']) => findings.filter(({ level }) => level === wanted).length;
  return [...columns(rows), '', `${count('error')} errors, ${count('warning')} warnings`];
}
