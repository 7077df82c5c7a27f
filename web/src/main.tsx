/** The page: with data in it, it shows them; else it asks the service that it came from. */

import { render } from "preact";
import { keepAsking } from "./model/asking";
import { openEmbedded } from "./model/embedded";
import { openJob } from "./model/opening";
import { keepPlanning } from "./model/planning";
import { followChoice } from "./model/player";
import { isServed } from "./service";
import "./style.css";
import { App } from "./views/App";

keepAsking();
keepPlanning();
followChoice();
render(<App />, document.getElementById("page")!);
void openEmbedded();
if (isServed && /^#[0-9a-f]{32}$/.test(location.hash)) void openJob(location.hash.slice(1));
