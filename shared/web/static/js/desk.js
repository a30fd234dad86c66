import "./page.js";
import "./desk-idle.js";
import "./small.js";

// On a narrow screen the menu is a row that scrolls: begin it at the page one is on.
const at = document.querySelector(".side [aria-current]");
if (at) at.parentElement.scrollLeft = at.offsetLeft - at.parentElement.offsetLeft - 48;
