mod changes;
mod documents;
mod faults;
mod pages;
mod properties;
mod table_of_faults;
mod world;
