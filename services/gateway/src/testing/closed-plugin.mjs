/** A plugin that lets nobody in. */
export default async function closed(app) {
  app.addHook('onRequest', async (_request, reply) => {
    await reply.code(401).send('who are you?');
  });
}
