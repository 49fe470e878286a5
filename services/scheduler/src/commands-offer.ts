import { COMMAND_NAMES, COMMANDS, COMMANDS_PREFIX, type CommandAnswer } from '@usher/events';
import type { Offer } from '@usher/ports';

/** The commands as a service that can be found on the bus: an endpoint for each. */
export function commandsOffer({ instance, version }: { instance: string; version: string }): Offer {
  return {
    name: 'usher-commands',
    version,
    id: instance,
    description: 'what can be changed in a fleet of Usher; the leading scheduler answers',
    endpoints: COMMAND_NAMES.map((name) => ({
      name: name.replaceAll('.', '-'),
      subject: `${COMMANDS_PREFIX}.${name}`,
      description: COMMANDS[name].summary,
    })),
    refusalOf: (text) => {
      const answer: CommandAnswer = JSON.parse(text);
      return answer.ok ? undefined : answer.problem;
    },
  };
}
