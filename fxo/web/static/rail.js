// The side menu is a row on a phone: the page that one is on comes into view.
const row = document.querySelector(".rail"), here = row?.querySelector("[aria-current]");
if (here && row.scrollWidth > row.clientWidth) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
