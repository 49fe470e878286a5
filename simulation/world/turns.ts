/** So often the real event loop has a turn: rejections that nobody took are told of there. */
const TURN_EVERY = 1_000;

const realTurn = setImmediate;
const DONE = Promise.resolve();
let planned: (() => void)[] = [];
let settles = 0;

/**
 * Takes the place of `setImmediate`, so that a turn of the event loop is one of the simulation: a real one costs more than all
 * that most events do. Answers with what undoes it.
 */
export function simulateTurns(): () => void {
  planned = [];
  settles = 0;
  Object.assign(globalThis, { setImmediate: (run: () => void) => void planned.push(run) });
  return () => void Object.assign(globalThis, { setImmediate: realTurn });
}

/** Calls back when everything has happened that needs no time. */
export function whenSettled(then: () => void): void {
  settles += 1;
  if (settles % TURN_EVERY === 0) realTurn(() => afterPromises(then));
  else afterPromises(then);
}

/** What is planned by a promise's callback for the next tick comes after the callbacks of all promises. */
function afterPromises(then: () => void): void {
  void DONE.then(() => process.nextTick(afterTurn, then));
}

function afterTurn(then: () => void): void {
  if (planned.length === 0) {
    then();
    return;
  }
  for (const run of planned.splice(0)) run();
  afterPromises(then);
}
