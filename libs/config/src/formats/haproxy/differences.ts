import type { Remarks } from '../remarks.ts';
import { millisecondsOf } from './sections.ts';
import type { ServerOptions } from './server-options.ts';
import type { Server } from './servers.ts';

/** How a server is probed that says nothing of it. */
export const PROBES = { inter: 2000, fall: 3, rise: 2 } as const;

/** What the servers of one pool share here, beside their probes: by what it is told, how two that have it the same are known. */
const SHARED: Readonly<Record<string, (options: ServerOptions) => string>> = {
  slowstart: (options) => amount(options.get('slowstart')?.value?.text),
  'send-proxy': (options) => (options.has('send-proxy') ? 'v1' : options.has('send-proxy-v2') ? 'v2' : ''),
  proto: (options) => (options.get('proto')?.value?.text === 'h2' ? 'h2' : ''),
};
const SHARED_BY_TLS: typeof SHARED = {
  verify: (options) => options.get('verify')?.value?.text ?? '',
  'ca-file': (options) => options.get('ca-file')?.value?.text ?? '',
};

/** Says where a server is probed in another way than the one whose probes the pool has. */
export function tellOtherProbes(checked: Server, servers: readonly Server[], remarks: Remarks): void {
  for (const { name, options } of servers) {
    if (!options.has('check')) {
      remarks.changed(
        'check',
        name.at,
        `it is probed as all backends of a pool are, since ${checked.name.text} is`,
      );
      continue;
    }
    for (const [option, usual] of Object.entries(PROBES)) {
      const word = options.get(option)?.value;
      const counted = checked.options.get(option)?.value?.text ?? String(usual);
      if (amount(word?.text ?? String(usual)) !== amount(counted))
        remarks.changed(
          option,
          word?.at ?? name.at,
          `all backends of a pool are probed alike: ${counted}, as ${checked.name.text}`,
        );
    }
  }
}

/** Says where a server has something else that a pool has once: what the first has that has any counts. */
export function tellOtherShares(servers: readonly Server[], remarks: Remarks): void {
  tellOthers(SHARED, servers, remarks);
  tellOthers(
    SHARED_BY_TLS,
    servers.filter(({ options }) => options.has('ssl')),
    remarks,
  );
}

function tellOthers(shared: typeof SHARED, servers: readonly Server[], remarks: Remarks): void {
  for (const [name, shareOf] of Object.entries(shared)) {
    // Certificates are checked as those of the first that speaks TLS.
    const counting =
      shared === SHARED_BY_TLS ? servers[0] : servers.find(({ options }) => shareOf(options) !== '');
    if (counting === undefined) continue;
    for (const { options, name: server } of servers) {
      if (shareOf(options) === shareOf(counting.options)) continue;
      const at = options.get(name)?.word.at ?? server.at;
      remarks.changed(name, at, `all backends of a pool have that of ${counting.name.text}`);
    }
  }
}

/** `2s` and `2000` are the same. */
function amount(text = ''): string {
  return String(millisecondsOf(text) ?? text);
}
