import { Client, kindsOf, somewhere } from "./client.mjs";
import { Proxy } from "../../e2e/js/proxy.mjs";
const ends=[]; const t={after:f=>ends.push(f)};
for (const kind of kindsOf("4.8.4").slice(2)) {
  const proxy = await Proxy.start(t);
  const namespace = somewhere();
  const other = await Client.connect(t, kind, { namespace });
  const client = await Client.connect(t, kind, { namespace, server: proxy.url });
  for (let i=0;i<1;i++){
  const id = client.socket.id;
  console.log(kind.transport, i, client.engine.transport.name, client.engine.transport._polling);
  const t0=Date.now();
  other.ask("fate", id).then((r)=>console.log(i, "fate", r, Date.now()-t0), (e)=>console.log(i, e.message));
  proxy.down();
  console.log(i, await client.next("disconnect"), Date.now()-t0);
  await new Promise(r=>setTimeout(r,1000));
  proxy.up();
  await client.welcome(); await client.settled();
  console.log("back", Date.now()-t0);
  }
}
