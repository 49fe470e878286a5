/** A plugin that takes its whole worker down, as a bug in a callback would. */
export default async function crash(app) {
  app.addHook('onRequest', async () => {
    setImmediate(() => {
      throw new Error('the plugin is broken');
    });
    await new Promise(() => {});
  });
}
