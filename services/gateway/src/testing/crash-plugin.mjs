const ENDS = {
  throw: () => {
    throw new Error('the plugin is broken');
  },
  reject: () => void Promise.reject(new Error('the plugin is broken')),
  exit: () => process.exit(3),
  spin: () => {
    for (;;);
  },
};

/** A plugin that takes its whole worker down, as a bug in a callback would; `how` says by what. */
export default async function crash(app, { how = 'throw' }) {
  app.addHook('onRequest', async () => {
    setImmediate(() => ENDS[how]());
    await new Promise(() => {});
  });
}
