import type { Input } from '../input/input.ts';
import { map, series, value, values } from './draft.ts';
import type { OpsenFile } from './opsen-keys.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'];
const HEADERS = ['Content-Type', 'X-API-Key', 'Authorization'];

/** What every answer has unless it is turned off, and what pages of other sites may. */
export function opsenPolicy(file: OpsenFile): Record<string, Input | undefined> {
  return { security_headers: securityHeaders(file), cors: cors(file) };
}

function securityHeaders(file: OpsenFile): Input | undefined {
  const off = file.get('disable_security_headers');
  if (off.value) return undefined;
  return map({
    hsts: value('max-age=31536000; includeSubDomains', off.at),
    frame_options: value('DENY', off.at),
    referrer_policy: value('none', off.at),
  });
}

/** Without a list every origin may. */
function cors(file: OpsenFile): Input | undefined {
  const [enabled, origins] = [file.get('enable_cors'), file.get('cors_allowed_origins')];
  if (!enabled.value) return undefined;
  return map({
    origins:
      origins.value.length === 0 ? series([value('*', enabled.at)]) : values(origins.value, origins.at),
    methods: values(METHODS, enabled.at),
    headers: values(HEADERS, enabled.at),
  });
}
