import { readAddress } from "./address";
import { App } from "./app";
import { faultOf } from "./names";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element #app");

const app = new App(root);
const asked = readAddress();
const complete = faultOf("a name", asked.user) === null && faultOf("a conversation", asked.conversation) === null;
if (complete) app.join(asked);
else app.showEntrance({ user: asked.user, conversation: asked.conversation || "lobby" });
